/** A small file to try the page with, written for it; with what files have: quotes, line breaks, an empty row. */

const REVIEWS = [
  ["The Salt Road", "2024-01-06", 5, "Three hours of desert and I would have stayed for a fourth. The last shot is the best I have seen in years."],
  ["The Salt Road", "2024-01-09", 4, "Slow to start, then it takes hold and does not let go. Wonderful to look at, and the lead is superb."],
  ["Paper Lanterns", "2024-01-13", 2, "Pretty pictures, dull dialogue. I looked at my watch more often than at the screen."],
  ["Midnight Tram", "2024-01-20", 4, "A thriller that trusts its audience. No explosions, no shouting, and I forgot to breathe."],
  ["Midnight Tram", "2024-01-21", 1, "Boring from the first minute, and the ending is a mess."],
  ["Aunt Clara", "2024-01-27", 5, "My sister called it \"a hug with subtitles\". She is right. Funny, warm and never sentimental."],
  ["Paper Lanterns", "2024-02-02", 3, "The first half is wonderful and the second half is a mess. A good editor would have saved it."],
  ["The Salt Road", "2024-02-04", 2, "I wanted to love it.\nThe camels were great. The rest is dull, and it was boring after an hour."],
  ["Robot Summer", "2024-02-10", 1, "Loud, ugly and boring. My kids asked to go home from this mess."],
  ["Robot Summer", "2024-02-11", 2, "Somewhere in here is a sweet little story about a boy and his robot, buried under two hours of noise."],
  ["Aunt Clara", "2024-02-17", 4, "Not a dull moment. The kitchen scene alone is worth the ticket."],
  ["Midnight Tram", "2024-02-18", 5, "Tense, clever, superb. Easily the best film that I have seen this winter."],
  ["The Understudy", "2024-02-24", 4, "She carries the whole film, and what a performance it is. Bring tissues."],
  ["The Understudy", "2024-02-25", 2, "Everybody cries, and it is all so dull. The worst film of the festival."],
  ["Robot Summer", "2024-03-02", 3, "Fine for a rainy afternoon. You will have forgotten it by dinner."],
  ["Paper Lanterns", "2024-03-03", 1, "The worst film of the year, and an insult to the book."],
  ["Aunt Clara", "2024-03-09", 5, "I laughed until I cried, and then I just cried. Go and see it with your mother."],
  ["The Salt Road", "2024-03-10", 5, "A wonderful film. The music is still in my head."],
  ["Midnight Tram", "2024-03-16", 3, "Good actors, good idea, no ending."],
  ["The Understudy", "2024-03-17", 5, "Quiet, honest and deeply moving. I have not stopped thinking about it."],
  ["Robot Summer", "2024-03-23", 1, "Oh great, another robot that learns what love is. Just what we needed."],
  ["Paper Lanterns", "2024-03-24", 4, "Don’t believe the critics: it is charming, it isn’t nearly as slow as they say, and the children are a delight."],
  ["Aunt Clara", "2024-03-30", 2, "Boring, and the jokes are older than Aunt Clara. The worst evening in months."],
  ["The Understudy", "2024-03-31", 4, "Could have been kitsch, and never is. A superb supporting cast."],
  ["Midnight Tram", "2024-04-06", 4, "Kept me guessing to the end; the director is one to watch."],
  ["Robot Summer", "2024-04-07", 2, "The effects are impressive. The script is an embarrassment."],
  ["The Salt Road", "2024-04-13", 3, ""],
  ["Paper Lanterns", "2024-04-14", 3, "?!"],
  ["Aunt Clara", "2024-04-20", 5, "Second time, and it was even better. Perfect casting, perfect ending."],
  ["The Understudy", "2024-04-21", 1, "Pretentious, boring, a mess. Half of the audience walked out, and the other half was asleep."],
];

export function sampleFile() {
  const quoted = (cell) => `"${String(cell).replaceAll('"', '""')}"`;
  const lines = [["film", "date", "stars", "review"], ...REVIEWS].map((cells) => `${cells.map(quoted).join(",")}\r\n`);
  return new File(lines, "sample.csv");
}
