"""What a microscopist asks for: typed functions, arrays in, arrays out."""
