/** @file Keys: their names, and the way from a key to an action. */

import { chosen } from "./settings.js";

/**
 * Something a person can do. `keys` are the usual ones. `label` is a verb with its object.
 * @typedef {{id: string, label: string, keys: string[], group: string, run: (event?: Event) => unknown, held?: () => unknown}} Action
 */

const NAMES = /** @type {Record<string, string>} */ ({
	ArrowLeft: "Left",
	ArrowRight: "Right",
	ArrowUp: "Up",
	ArrowDown: "Down",
	" ": "Space",
	Escape: "Esc",
});
const OWN_KEYS = new Set(["Space", "Enter", "Left", "Right", "Up", "Down", "Home", "End", "PageUp", "PageDown"]);

/** The name of the key that was pressed, such as `Shift+P`, `Control+Z`, `?`. @param {KeyboardEvent} event */
export function named(event) {
	let key = NAMES[event.key] ?? event.key;
	const letter = key.length === 1 && key.toLowerCase() !== key.toUpperCase();
	if (letter) key = key.toUpperCase();
	const shift = event.shiftKey && (letter || key.length > 1);
	return (
		(event.ctrlKey || event.metaKey ? "Control+" : "") + (event.altKey ? "Alt+" : "") + (shift ? "Shift+" : "") + key
	);
}

/** The keys that an action has now. @param {Action} action */
export function keysOf(action) {
	const keys = chosen.keys[action.id] ?? action.keys;
	return chosen.letters
		? keys
		: keys.filter((key) => /^(Control|Alt)\+|.{2}$/.test(key) && !/^Shift\+.$/.test(key) && key !== "Space");
}

/** As `aria-keyshortcuts` wants it. @param {Action} action */
export function ariaKeys(action) {
	const full = (/** @type {string} */ key) =>
		key
			.replace(/(Left|Right|Up|Down)$/, "Arrow$1")
			.replace("Esc", "Escape")
			.replace(/\+$/, "Plus")
			.replace(/^ $/, "Space");
	return keysOf(action).map(full).join(" ") || null;
}

/** Whether the key belongs to the element that has the focus. @param {EventTarget | null} target @param {string} key */
function taken(target, key) {
	if (!(target instanceof HTMLElement)) return false;
	if (target.closest("input:not([type=checkbox]):not([type=radio]), select, textarea"))
		return !/^Control\+/.test(key) || target.closest("textarea, [type=text], [type=search]") !== null;
	const plain = key.replace(/^Shift\+/, "");
	if (target.closest("input, [role=tablist], #why") && OWN_KEYS.has(plain)) return true;
	return (plain === "Space" || plain === "Enter") && target.closest("button, a, summary") !== null;
}

/** Let keys run actions, except in dialogs and where the focus uses the key. @param {() => Action[]} actions */
export function listen(actions) {
	/** @type {{key: string, at: number, action: Action} | null} */
	let down = null;
	document.addEventListener("keydown", (event) => {
		if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
		const key = named(event);
		if (taken(event.target, key)) return;
		const action = actions().find((each) => keysOf(each).includes(key));
		if (!action) return;
		event.preventDefault();
		if (event.repeat && action.held) return;
		if (!event.repeat) down = { key: event.key, at: event.timeStamp, action };
		action.run(event);
	});
	document.addEventListener("keyup", (event) => {
		if (down && event.key === down.key && event.timeStamp - down.at > 350) down.action.held?.();
		down = null;
	});
}
