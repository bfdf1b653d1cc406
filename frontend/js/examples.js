/** Reviews to try, each written for this page. */

/** @type {{name: string, text: string}[]} */
export const EXAMPLES = [
  {
    name: "A love letter",
    text: "I expected little and came out grinning. The cast is wonderful, every frame glows, and the last ten minutes had the whole row in tears. I would see it again tomorrow.",
  },
  {
    name: "A walkout",
    text: "Two hours I will never get back. The plot falls apart, the jokes are lifeless, and the lead looks as bored as I was. Avoid.",
  },
  {
    name: "Torn",
    text: "The first act is superb: tense, funny, beautifully shot. Then the script runs out of ideas. The dialogue turns clumsy, the villain is a cliché, and the ending is a mess. Still, the lead actress is excellent to the very last scene. She deserved a better film.",
  },
  {
    name: "A surprise",
    text: "Nothing about the poster promised much, and I was ready to leave early. I stayed, I laughed, and at the end I cried. What a lovely surprise.",
  },
  {
    name: "A trap",
    text: "Not bad at all. I never once looked at my watch, nobody overacts, and it isn’t nearly as silly as the trailer. You won’t regret it.",
  },
];
