"""Makes reports out of a run's events: terminal, JSON, JUnit, HTML, Markdown, badge. Knows neither engine nor testee."""
