"""The websocket's live stream: browsers, groups that see the same, and a feed for each further thing that they are told."""
