/**
 * Colours of a message for a dark page: the same hues with their lightness turned around, so that pictures
 * and the sender's accents stay what they are. The browser computes them (CSS Color 5 §4, relative colours).
 *
 * @module
 */

/** Names of colours (CSS Color 4 §6.1). */
const names = new Set(
  ("aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown " +
    "burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan " +
    "darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid " +
    "darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet " +
    "deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro " +
    "ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki " +
    "lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow " +
    "lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray " +
    "lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine " +
    "mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen " +
    "mediumturquoise mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace " +
    "olive olivedrab orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred " +
    "papayawhip peachpuff peru pink plum powderblue purple rebeccapurple red rosybrown royalblue " +
    "saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue slateblue slategray slategrey " +
    "snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white whitesmoke yellow " +
    "yellowgreen").split(" "),
);

/** Functions whose value is a colour. */
export const colorFunctions: ReadonlySet<string> = new Set(
  "rgb rgba hsl hsla hwb lab lch oklab oklch color".split(" "),
);

/** Properties that have colours. */
export const colorProperty =
  /color|background|border|outline|shadow|fill|stroke|text-decoration|^--/;

export const isColorName = (text: string): boolean => names.has(text.toLowerCase());

/** A colour for a dark page. White becomes nearly black, black nearly white. */
export function darkened(color: string): string {
  return `oklch(from ${color} calc(.94 - .76*l) c h)`;
}

/** A checked colour of an attribute; undefined if it is not a colour. */
export function attributeColor(value: string): string | undefined {
  const plain = value.trim();
  if (isColorName(plain)) return plain;
  // Browsers accept six digits without "#", too.
  const hex = /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.exec(plain);
  if (hex !== null) return `#${hex[1]}`;
  return /^rgba?\([0-9 ,.%/]{1,60}\)$/i.test(plain) ? plain : undefined;
}
