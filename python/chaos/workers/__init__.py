"""The processes under test. Each has one endpoint, which asks and answers, and writes its history."""
