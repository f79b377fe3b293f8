"""The face network: from the given ONNX weights of YuNet to a LiteRT file of ours."""
