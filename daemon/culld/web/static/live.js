/** @file News of the server: changes while the page is visible, and whether the daemon runs. */

import { get } from "./api.js";
import { warn } from "./dom.js";

/** @typedef {import("./review.js").Review} Review */

const REST_MS = 1500;
/** A long index is read less often. */
const ROWS_A_MS = 20;
const STATUS_MS = 10_000;

/** Follow the server while the page is visible. @param {Review} review */
export function follow(review) {
	/** @type {EventSource | null} */
	let source = null;
	let due = 0;
	let last = 0;
	const refresh = () => {
		last = performance.now();
		void review.load().catch(() => undefined);
		void review.answers.look();
		void ask(review);
	};
	const changed = () => {
		clearTimeout(due);
		void review.answers.look();
		due = setTimeout(
			refresh,
			Math.max(150, last + Math.max(REST_MS, review.library.length / ROWS_A_MS) - performance.now()),
		);
	};
	const turn = () => {
		source?.close();
		source = null;
		if (document.hidden) return;
		source = new EventSource("api/v1/events");
		source.addEventListener("change", (event) => {
			if (JSON.parse(event.data).change !== review.library.change) changed();
		});
		source.addEventListener("error", () => void ask(review));
	};
	document.addEventListener("visibilitychange", turn);
	addEventListener("pagehide", () => source?.close());
	setInterval(() => {
		if (document.hidden) return;
		if (source?.readyState !== EventSource.CLOSED) return void ask(review);
		refresh();
		turn();
	}, STATUS_MS);
	turn();
	void ask(review);
}

let said = "";

/** Ask how the daemon is, and show what is wrong with it. @param {Review} review */
export async function ask(review) {
	try {
		review.status = await get("status");
	} catch (error) {
		if (/** @type {any} */ (error).status === 401) return;
		review.status = { daemon: "no answer" };
	}
	const text = trouble(review.status);
	if (text !== said) warn(text);
	said = text;
	review.tells("status");
	if (review.answers.open.some(({ sent }) => !sent) && review.status.daemon !== "no answer") void review.answers.pump();
}

/** @param {any} status */
function trouble(status) {
	if (status.daemon === "no answer")
		return "The server of the page does not answer. Your answers stay in this browser until it does.";
	if (status.daemon === "stopped")
		return "The daemon is stopped. Your answers wait, and are carried out when it runs again.";
	return "";
}
