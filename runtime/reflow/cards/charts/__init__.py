"""Charts as pictures that need nothing: what a Vega-Lite specification says, drawn in SVG."""
