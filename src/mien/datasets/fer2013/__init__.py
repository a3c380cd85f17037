"""FER-2013 and the FER+ votes on the same faces, as CSV and as folders."""
