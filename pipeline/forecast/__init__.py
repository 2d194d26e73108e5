"""What is still to come: the lag from touch to conversion, and how mature a campaign's return is."""
