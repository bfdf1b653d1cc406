/** What is kept on this device. A browser that keeps nothing, or is full, costs only that. */

const keyOf = (name) => `reeltone.${name}`;

/** A tab's own copy comes first, so that two tabs do not overwrite each other's draft. */
export function recall(name) {
  try {
    return JSON.parse(sessionStorage.getItem(keyOf(name)) ?? localStorage.getItem(keyOf(name))) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keep a value, or nothing where it is undefined; gives whether that worked. */
export function keep(name, value, inTab = true) {
  try {
    for (const shelf of inTab ? [sessionStorage, localStorage] : [localStorage]) {
      if (value === undefined) shelf.removeItem(keyOf(name));
      else shelf.setItem(keyOf(name), JSON.stringify(value));
    }
    return true;
  } catch {
    return false;
  }
}
