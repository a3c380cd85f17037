"""RAF-DB: basic and compound emotions, and the copy in class folders."""
