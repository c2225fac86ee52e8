"""Order lists, SearchTable, FiguresTable, and the functions that keep them up to date."""
