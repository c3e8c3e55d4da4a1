"""What people see and touch: HTTP, websocket, web app, command line and demo city."""
