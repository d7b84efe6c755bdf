"""The workflow panel: steps in a row, for the open layers or a folder of files."""
