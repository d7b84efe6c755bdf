"""Where the build puts what codegen wrote."""
