"""The commands by what they are for; `syncd.cli` puts them together."""
