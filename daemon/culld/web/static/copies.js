/** @file The repaired copy of a photo: shown in its place, beside it, or asked for. */

import { copyOf, get } from "./api.js";
import { PHOTOS } from "./bars.js";
import { tell } from "./dom.js";
import { ready } from "./picture.js";

/** @typedef {import("./main.js").Page} Page */
/** @typedef {import("./api.js").Info} Info */

const FIRST_MS = 1000;
const MOST_MS = 5000;
const COMING = { waiting: 1, begun: 1 };

/** Photos whose copies are on the way. @type {Set<number>} */
const awaited = new Set();
/** The photo whose reason for no copy was told last: the next time the daemon is asked again. */
let refused = 0;
let timer = 0;

/** Show the copy in place of the photo, or the photo again. @param {Page} page @param {number} id */
export async function toggle(page, id) {
	const view = /** @type {any} */ (page.view);
	if (page.name === "photo" && view.copy) {
		view.showCopy(null);
		return tell(`${page.review.title([id])}: the photo.`);
	}
	const copy = await wanted(page, id);
	if (copy) await show(page, copy);
}

/** Show the photo and its copy beside each other, or only the photo again. @param {Page} page @param {number} id */
export async function beside(page, id) {
	if (page.name === "compare" && page.ids[1] < 0) return page.open("photo");
	const copy = await wanted(page, id);
	if (!copy) return;
	const place = page.name === "photo" && /** @type {any} */ (page.view).place;
	page.ids = [copy.id, -copy.id];
	page.name = "compare";
	page.address(true);
	await page.show();
	tell("The photo and its repaired copy. Shift+B shows the photo alone.");
	if (place) Object.assign(/** @type {any} */ (page.view).place, place);
}

/** @param {Page} page @param {Info} copy */
async function show(page, copy) {
	if (page.name !== "photo") await page.open("photo");
	/** @type {any} */ (page.view).showCopy(copy);
	tell(`${copy.name}: the repaired copy. B shows the photo again.`);
}

/** The copy of the photo in view; if there is none, say why, or ask for it. @param {Page} page @param {number} id @returns {Promise<Info | void>} */
async function wanted(page, id) {
	const { review, why } = page;
	if (!id || !(page.name in PHOTOS)) return;
	let found = why.answers.get(id);
	if (found?.copy?.state !== "made") found = await get(`photos/${id}`).catch(({ message }) => tell(message));
	if (!found) return;
	learn(page, id, found);
	const { copy, enhance, name } = found;
	if (copy?.state === "made") {
		const shown = copyOf(found, copy);
		if (await ready(shown)) return id === review.id ? shown : undefined;
		why.answers.delete(id);
	}
	if (copy?.state in COMING) {
		follow(page, id);
		return tell(`${name}: its repaired copy is not ready yet.`);
	}
	if (enhance === "never") return tell("The policy makes no repaired copies; set policy.enhance: ask.");
	if (copy?.state === "none" && refused !== id) {
		refused = id;
		return tell(`${name} has no repaired copy: ${copy.reason}. B asks again.`);
	}
	ask(page, id, name);
}

/** @param {Page} page @param {number} id @param {any} found */
function learn({ why }, id, found) {
	why.answers.set(id, found);
	why.show();
}

/** @param {Page} page @param {number} id @param {string} name */
function ask(page, id, name) {
	const { review } = page;
	refused = 0;
	void review.answers.give("enhance", [{ decision: id, state: review.state(id) }]);
	follow(page, id);
	const when = review.status?.daemon === "stopped" ? "it waits until the daemon runs" : "it is shown when it is ready";
	tell(`A repaired copy of ${name} is asked for: ${when}.`);
}

/** Look how far the copy of a photo is, until it has ended. @param {Page} page @param {number} id */
function follow(page, id) {
	awaited.add(id);
	clearTimeout(timer);
	timer = setTimeout(() => void look(page, FIRST_MS), FIRST_MS);
}

/** @param {Page} page @param {number} after ms */
async function look(page, after) {
	for (const id of awaited) {
		if (page.review.answers.pending.has(id)) continue;
		const found = await get(`photos/${id}`).catch(() => null);
		if (!found || found.copy?.state in COMING) continue;
		awaited.delete(id);
		learn(page, id, found);
		if (found.copy) await end(page, found);
	}
	clearTimeout(timer);
	const next = Math.min(after * 1.3, MOST_MS);
	if (awaited.size) timer = setTimeout(() => void look(page, next), next);
}

/** Show a copy that is ready if its photo is in view, else say how it ended. @param {Page} page @param {any} found */
async function end(page, found) {
	const { copy, name } = found;
	if (copy.state !== "made") return tell(`${name} has no repaired copy: ${copy.reason}.`);
	const shown = copyOf(found, copy);
	const isThere = await ready(shown);
	if (isThere && page.name === "photo" && page.review.id === found.id) return show(page, shown);
	tell(`The repaired copy of ${name} is ${isThere ? "ready" : "not as culld made it; move it away"}: ${copy.name}.`);
}
