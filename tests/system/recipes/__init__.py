"""The recipes of the documents, carried out on copies of the project."""
