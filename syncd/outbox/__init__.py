"""The only writer to vendors: carries out intents, writes down what went out before it goes, and what came of it."""
