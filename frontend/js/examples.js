/** Reviews to try, each written for this page, with what it shows. */

export const EXAMPLES = [
  { name: "Rave", shows: "short and sweet", text: "I loved every minute of it." },
  { name: "Pan", shows: "short and sour", text: "A complete waste of two hours." },
  {
    name: "Torn",
    shows: "praise, then blame",
    text: "The first act is superb: tense, funny, beautifully shot. Then the script runs out of ideas. The dialogue turns clumsy, the villain is a cliché, and the ending is a mess. Still, the lead actress is excellent to the very last scene. She deserved a better film.",
  },
  {
    name: "Praise by denial",
    shows: "a hard one",
    text: "Not bad at all. I never once looked at my watch, nobody overacts, and it isn’t nearly as silly as the trailer. You won’t regret it.",
  },
  {
    name: "Sarcasm",
    shows: "its known failure",
    text: "Oh, wonderful: the sequel nobody asked for. My favourite part was the power cut in the second act. Bravo to everyone involved, I have not slept so well in a cinema for years. 👏",
  },
];
