/** @file HTTP API v1 of culld, and the addresses of its pictures. */

/**
 * What a tile needs to know of a photo.
 * @typedef {{id: number, name: string, folder: string, state: string, verdict: string, reason: string, width: number,
 *   height: number, taken_at: string | null, digest: string, copy?: boolean}} Info `copy`: its repaired copy
 * @typedef {{decision: number, state: string, note: string, now: number | null}} Outcome
 * @typedef {{id: string, kind: string, state: "waiting" | "taken" | "ended", items: Outcome[]}} Progress
 */

const AT = "api/v1/";

/** An answer of the server that is not the one wanted; `status` 0: there was no answer. */
export class Refused extends Error {
	/** @param {number} status @param {string} text @param {{decision: number, now: string | null}[]} [items] that changed meanwhile */
	constructor(status, text, items = []) {
		super(text);
		this.status = status;
		this.items = items;
	}
}

/** @param {string} path @param {RequestInit} [init] */
async function ask(path, init) {
	let answer;
	try {
		answer = await fetch(AT + path, { credentials: "same-origin", ...init });
	} catch (error) {
		if (/** @type {Error} */ (error).name === "AbortError") throw error;
		throw new Refused(0, "The server of the page does not answer.");
	}
	if (answer.ok || answer.status === 304) return answer;
	const problem = await answer.json().catch(() => ({}));
	if (answer.status === 401 && path !== "login") dispatchEvent(new Event("culld-login"));
	throw new Refused(
		answer.status,
		problem.detail ?? problem.title ?? `The server answered ${answer.status}.`,
		problem.items,
	);
}

/** @param {string} path @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function get(path, signal) {
	return (await ask(path, { signal })).json();
}

/** @param {string} path @param {unknown} body @returns {Promise<any>} */
export async function post(path, body) {
	const headers = { "Content-Type": "application/json" };
	const answer = await ask(path, { method: "POST", headers, body: JSON.stringify(body) });
	return answer.status === 204 ? null : answer.json();
}

/**
 * The answer to `index`, or null if nothing changed since the answer with this ETag.
 * @param {boolean} kept @param {string} etag @param {number} [limit] the most photos, the newest
 */
export async function index(kept, etag, limit) {
	/** @type {Record<string, string>} */
	const headers = etag ? { "If-None-Match": etag } : {};
	const path = `index?kept=${kept ? 1 : 0}${limit ? `&limit=${limit}` : ""}`;
	const answer = await ask(path, { headers, cache: "no-store" });
	return answer.status === 304 ? null : { etag: answer.headers.get("ETag") ?? "", body: await answer.json() };
}

/** @param {Info} photo @param {string} head */
export async function heat({ id, copy }, head) {
	const answer = await ask(`photos/${id}/heat?head=${head}${copy ? "&copy=1" : ""}`);
	const number = (/** @type {string} */ name) => Number(answer.headers.get(name) ?? NaN);
	return {
		picture: await createImageBitmap(await answer.blob()),
		logit: number("X-Logit"),
		probability: number("X-Probability"),
	};
}

/** The repaired copy of a photo, as a photo. @param {Info} info @param {{name: string, digest: string}} copy @returns {Info} */
export function copyOf(info, { name, digest }) {
	return { ...info, name, digest, copy: true };
}

/** @param {{id: number, digest: string, copy?: boolean}} photo @param {string} what `thumb`, `preview` or `original` @param {number} [size] */
export function address(photo, what, size) {
	const query = new URLSearchParams();
	if (size) query.set("size", String(size));
	if (photo.digest) query.set("d", photo.digest);
	if (photo.copy === true) query.set("copy", "1");
	return `${AT}photos/${photo.id}/${what}?${query}`;
}

/** @param {{id: number, digest: string, copy?: boolean}} photo @param {number[]} box x, y, width and height in pixels of the upright photo */
export function crop(photo, [x, y, w, h]) {
	return `${address(photo, "crop")}&x=${x}&y=${y}&w=${w}&h=${h}`;
}
