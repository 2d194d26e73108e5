"""A campaign on paper: the panels of its board with its alert, as one HTML file or a PDF."""
