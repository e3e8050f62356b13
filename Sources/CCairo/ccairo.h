// Cairo with its SVG surfaces and FreeType fonts, and fontconfig, which finds the font.
#include <cairo.h>
#include <cairo-svg.h>
#include <cairo-ft.h>
#include <fontconfig/fontconfig.h>
