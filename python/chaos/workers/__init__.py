"""The processes under test: one endpoint each, which asks, answers, and writes down what it sees."""
