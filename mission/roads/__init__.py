"""Roads: the graph of streets, where it comes from, who may use what how fast, and searches for the nearest and the way."""
