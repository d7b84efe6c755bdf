"""The live preview: what is in view, computed anew while a setting moves."""
