/** @file What a person chose, kept in this browser. */

const NAME = "culld.settings";

/**
 * `keys`: the keys of an action that differ from the usual ones; an empty list switches its keys off. `letters`: whether keys
 * without Control work at all. `advance`: whether the next photo comes after an answer.
 * @typedef {{keys: Record<string, string[]>, letters: boolean, advance: boolean, theme: "auto" | "light" | "dark",
 *   tile: "small" | "medium" | "large"}} Chosen
 */

/** @type {Chosen} */
export const chosen = { keys: {}, letters: true, advance: true, theme: "auto", tile: "medium", ...stored(NAME, {}) };

/** @param {Partial<Chosen>} change */
export function choose(change) {
	Object.assign(chosen, change);
	store(NAME, chosen);
	dress();
	dispatchEvent(new Event("culld-settings"));
}

/** Follow the theme. */
export function dress() {
	const root = document.documentElement;
	if (chosen.theme === "auto") root.removeAttribute("data-theme");
	else root.dataset.theme = chosen.theme;
}

/** @template T @param {string} name @param {T} otherwise @returns {T} */
export function stored(name, otherwise) {
	try {
		return JSON.parse(localStorage.getItem(name) ?? "") ?? otherwise;
	} catch {
		return otherwise;
	}
}

/** @param {string} name @param {unknown} value @returns {boolean} false if the browser has no room for it */
export function store(name, value) {
	try {
		localStorage.setItem(name, JSON.stringify(value));
		return true;
	} catch {
		return false;
	}
}
