"""The contract's metrics as a plain batch, written without the pipeline's code: the second way to every number."""
