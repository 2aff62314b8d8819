"""One module a command, named as the command; each is imported when it is called."""
