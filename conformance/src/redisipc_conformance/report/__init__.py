"""Makes reports from a run's events: terminal, JSON, JUnit, HTML, Markdown, badge. Imports no engine or testee."""
