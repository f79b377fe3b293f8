/** @file The words of the page: the same as those of the command line. */

/** @typedef {import("./dom.js").Icon} Icon */

export const DEFECTS = /** @type {const} */ (["blur", "under", "over", "focus"]);
/** @typedef {"blur" | "under" | "over" | "focus"} Defect */
export const DEFECT_WORDS = { blur: "blur", under: "under-exposed", over: "over-exposed", focus: "missed focus" };
export const LETTERS = { blur: "B", under: "U", over: "O", focus: "F" };
export const VERDICTS = ["kept", "tagged", "rejected", "unreadable"];

/** @typedef {"restore" | "confirm" | "withdraw" | "reject" | "resume" | "apply-policy" | "enhance"} Kind */

/** The shape and the words of each state of a photo. @type {Record<string, {icon: Icon, word: string}>} */
export const STATES = {
	kept: { icon: "dot", word: "kept" },
	tagged: { icon: "tag", word: "tagged" },
	"tag confirmed": { icon: "tick", word: "tag is right" },
	rejected: { icon: "cross", word: "rejected" },
	confirmed: { icon: "tick", word: "right" },
	restored: { icon: "back", word: "brought back" },
	untagged: { icon: "back", word: "tag removed" },
	left: { icon: "dot", word: "left quarantine" },
	unreadable: { icon: "dot", word: "unreadable" },
	unfinished: { icon: "dot", word: "unfinished" },
	superseded: { icon: "dot", word: "decided again" },
};

/** What a wish makes of the state of a photo; a state that is not listed refuses it. @type {Record<string, Record<string, string>>} */
export const OUTCOMES = {
	restore: { rejected: "restored", confirmed: "restored", tagged: "untagged", "tag confirmed": "untagged" },
	confirm: { rejected: "confirmed", tagged: "tag confirmed" },
	withdraw: { confirmed: "rejected", "tag confirmed": "tagged", restored: "rejected", untagged: "tagged" },
	reject: Object.fromEntries(
		["kept", "tagged", "tag confirmed", "restored", "untagged", "left"].map((state) => [state, "rejected"]),
	),
};

export const DONE = {
	restore: "brought back",
	confirm: "right",
	withdraw: "answer taken back",
	reject: "rejected",
};

/** The answer that a state stands for. @param {string} state */
export function answerOf(state) {
	if (state === "rejected" || state === "tagged") return "open";
	if (state === "confirmed" || state === "tag confirmed") return "right";
	return state === "restored" || state === "untagged" ? "wrong" : "not asked";
}

/** @param {number} [count] */
export function number(count = 0) {
	return count.toLocaleString("en");
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
	return `${number(count)} ${count === 1 ? one : many}`;
}

/** A probability as the command line prints it, cut and not rounded, so that 0.996 is never a 1. @param {number | null} p */
export function probability(p) {
	return p === null ? "unknown" : (Math.floor(p * 100) / 100).toFixed(2);
}

/** @param {number} seconds since 1970, local time of the camera */
export function month(seconds) {
	return seconds ? new Date(seconds * 1000).toISOString().slice(0, 7) : "no date";
}

/** Seconds as a photographer writes them: 1/250 s. @param {number} s */
export function shutter(s) {
	return s >= 0.4 ? `${Number(s.toPrecision(2))} s` : `1/${Math.round(1 / s)} s`;
}

/** @param {number} part */
export function percent(part) {
	return `${(100 * part).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}
