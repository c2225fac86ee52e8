"""Order lists, SearchTable, FiguresTable, and what keeps them current."""
