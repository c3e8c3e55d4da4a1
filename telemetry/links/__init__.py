"""Links to devices: sockets, serial lines, brokers, HTTP and files, all drained in turns of the loop and opened again when lost."""
