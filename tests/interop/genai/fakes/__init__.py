"""One HTTP server that imitates the APIs of model providers, and writes down what it told each caller."""
