"""Drawn faces as folders in the layouts of real data sets, to try an import before the data have come."""
