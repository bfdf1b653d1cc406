/** Figures about groups of reviews: pure functions. */

/** For 95 %. */
const Z = 1.96;

/** Wilson's interval of a share: [least, most] that the share of all such reviews may be. */
export function wilson(part, whole) {
  if (!whole) return [0, 1];
  const share = part / whole;
  const spread = (Z * Z) / whole;
  const middle = share + spread / 2;
  const margin = Z * Math.sqrt((share * (1 - share)) / whole + spread / (4 * whole));
  return [Math.max((middle - margin) / (1 + spread), 0), Math.min((middle + margin) / (1 + spread), 1)];
}

/**
 * What is known of each group: its name, the number of its scored reviews, how many are positive, their
 * mean probability, and the mean of numbers, where there are any. codes has the group of each row.
 */
export function groupsOf(codes, names, probabilities, numbers) {
  const groups = names.map((name, code) => ({ name, code, reviews: 0, positive: 0, sum: 0, numbers: 0, total: 0 }));
  for (let row = 0; row < codes.length; row += 1) {
    const group = groups[codes[row]];
    const probability = probabilities[row];
    if (!group || Number.isNaN(probability)) continue;
    group.reviews += 1;
    group.positive += Number(probability >= 0.5);
    group.sum += probability;
    const number = numbers?.[row] ?? NaN;
    if (!Number.isNaN(number)) {
      group.numbers += 1;
      group.total += number;
    }
  }
  return groups.filter(({ reviews }) => reviews).map(({ sum, numbers: known, total, ...group }) => ({
    ...group,
    share: group.positive / group.reviews,
    interval: wilson(group.positive, group.reviews),
    mean: sum / group.reviews,
    number: known ? total / known : NaN,
  }));
}

/**
 * Words that set a group apart from the rest, by the log-odds of a review having them, in standard errors
 * (Monroe, Colaresi and Quinn, "Fightin' Words", 2008, with a prior of what all reviews have). counts gives
 * for each word the number of reviews with it, within the group and elsewhere.
 */
export function tellingWords(counts, inside, outside, least = 3) {
  const all = inside + outside;
  const found = [];
  for (const [word, [within, elsewhere]] of counts) {
    if (within < least) continue;
    const prior = ((within + elsewhere) / all) * Math.min(all, 100);
    const rest = Math.min(all, 100) - prior;
    const odds = (part, whole) => (part + prior) / (whole - part + rest || 1);
    const difference = Math.log(odds(within, inside)) - Math.log(odds(elsewhere, outside));
    const error = Math.sqrt(1 / (within + prior) + 1 / (elsewhere + prior));
    found.push({ word, score: difference / error, share: within / inside, elsewhere: outside ? elsewhere / outside : 0 });
  }
  return found.sort((a, b) => b.score - a.score);
}
