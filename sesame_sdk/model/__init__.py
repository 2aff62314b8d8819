"""The data model and its JSON codec: frozen, free of IO; an invalid field is named in an error."""
