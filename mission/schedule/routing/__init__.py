"""Which jobs each vehicle does in which order: team orienteering with time windows, and the field's benchmark files."""
