/** @file The answers of this browser: sent as wishes, followed to their end, and undone by wishes of their own, for ever. */

import { get, post, Refused } from "./api.js";
import { stored, store } from "./settings.js";
import { counted, OUTCOMES } from "./words.js";

/** @typedef {import("./words.js").Kind} Kind */
/** @typedef {import("./api.js").Progress} Progress */
/** @typedef {{decision: number, state: string}} Item the decision and the state that was seen */

/**
 * An answer that can be undone. `undone`: 0 no, 1 yes, 2 yes and another answer followed, so that it is not done again.
 * @typedef {{id: string, kind: Kind, items: [number, string][], undone: 0 | 1 | 2, group: string}} Given
 */

/**
 * A wish on its way. `sent`: the server has it. `then`: what follows for an item whose first answer came back as this state.
 * @typedef {{id: string, kind: Kind, items: Item[], sent: boolean, policy?: string, then?: number[]}} Wish
 */

const GIVEN = "culld.answers";
const OPEN = "culld.open";
const MOVED = "culld.moved";
const MOST_ITEMS = 10_000;
const INVERSE = { confirm: "withdraw", restore: "withdraw", reject: "restore" };

/** A UUID of version 7, so that names of wishes sort by time. */
export function uuid() {
	const raw = crypto.getRandomValues(new Uint8Array(16));
	const time = BigInt(Date.now());
	for (let i = 0; i < 6; i++) raw[i] = Number((time >> BigInt(8 * (5 - i))) & 255n);
	raw[6] = (raw[6] & 15) | 112;
	raw[8] = (raw[8] & 63) | 128;
	const hex = Array.from(raw, (byte) => byte.toString(16).padStart(2, "0")).join("");
	return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * Sends wishes and follows them. Events: `pending` when a photo waits or no longer waits; `ended` with the outcomes of a wish;
 * `refused` with a sentence.
 */
export class Answers extends EventTarget {
	constructor() {
		super();
		/** The state that each waiting photo will have. @type {Map<number, string>} */
		this.pending = new Map();
		this.timer = 0;
		this.pumping = false;
		addEventListener("storage", (event) => event.key?.startsWith("culld.") && this.note());
		this.note();
	}

	/** @returns {Given[]} */
	get given() {
		return stored(GIVEN, []);
	}

	/** @returns {Wish[]} */
	get open() {
		return stored(OPEN, []);
	}

	/** The number of the decision that followed this one. @param {number} id */
	now(id) {
		const text = localStorage.getItem(MOVED);
		if (text !== this.movedText) [this.movedText, this.moved] = [text, stored(MOVED, {})];
		while (this.moved[id] && this.moved[id] !== id) id = this.moved[id];
		return id;
	}

	/** @type {string | null} */
	movedText = null;
	/** @type {Record<string, number>} */
	moved = {};

	/** Ask for something. @param {Kind} kind @param {Item[]} items @param {{group?: string, policy?: string}} [more] */
	give(kind, items, { group = uuid(), policy } = {}) {
		const given = this.given.map((old) => (old.undone === 1 ? { ...old, undone: /** @type {2} */ (2) } : old));
		for (let at = 0; at < Math.max(items.length, 1); at += MOST_ITEMS) {
			const id = uuid();
			const part = items.slice(at, at + MOST_ITEMS);
			if (!this.queue({ id, kind, items: part, policy, sent: false })) {
				const left = counted(items.length - at, "photo");
				this.tells("refused", `This browser has no room to remember so many answers: ${left} left out.`);
				break;
			}
			if (kind in OUTCOMES)
				given.push({ id, kind, items: part.map(({ decision, state }) => [decision, state]), undone: 0, group });
		}
		this.keep(given);
		return this.pump();
	}

	/** Undo the latest answer, or do the latest undone one again; the number of photos. @param {boolean} again */
	async undo(again = false) {
		const given = this.given;
		const last = again ? given.find((old) => old.undone === 1) : given.findLast((old) => !old.undone);
		if (!last) return 0;
		const group = given.filter((old) => old.group === last.group && old.undone === last.undone);
		let photos = 0;
		for (const old of again ? group : group.reverse()) {
			old.undone = again ? 0 : 1;
			photos += old.items.length;
			if (again) this.queue({ id: uuid(), kind: old.kind, items: this.seen(old), sent: false });
			else this.takeBack(old);
		}
		this.keep(given);
		await this.pump();
		return photos;
	}

	/** The photos of an undone answer as they are now; a reject of a person was undone by bringing the photo back. @param {Given} old @returns {Item[]} */
	seen({ kind, items }) {
		return items.map(([decision, state]) => ({
			decision: this.now(decision),
			state: kind === "reject" ? "restored" : state,
		}));
	}

	/** Queue the wishes that make an answer undone. @param {Given} old */
	takeBack(old) {
		const items = old.items.map(([decision, before]) => ({
			decision: this.now(decision),
			before,
			state: OUTCOMES[old.kind][before],
		}));
		/** @type {Map<Kind, typeof items>} */
		const kinds = new Map();
		for (const item of items) {
			const wrong = item.before === "restored" || item.before === "untagged";
			const kind = /** @type {Kind} */ (
				old.kind === "withdraw" ? (wrong ? "restore" : "confirm") : INVERSE[/** @type {"confirm"} */ (old.kind)]
			);
			kinds.set(kind, [...(kinds.get(kind) ?? []), item]);
		}
		for (const [kind, part] of kinds) {
			const right = part.filter(({ before }) => old.kind === "restore" && before.endsWith("confirmed"));
			const then = right.map(({ decision }) => decision);
			const items = part.map(({ decision, state }) => ({ decision, state }));
			this.queue({ id: uuid(), kind, items, sent: false, then });
		}
	}

	/** @param {"ended" | "refused"} name @param {unknown} detail */
	tells(name, detail) {
		this.dispatchEvent(new CustomEvent(name, { detail }));
	}

	/** @param {Given[]} given */
	keep(given) {
		while (!store(GIVEN, given) && given.length) given.splice(0, Math.ceil(given.length / 4));
	}

	/** @param {Wish} wish @returns {boolean} false if the browser has no room for it */
	queue(wish) {
		const kept = store(OPEN, [...this.open, wish]);
		this.note();
		return kept;
	}

	/** Read what is on its way, of other tabs as well. */
	note() {
		this.pending.clear();
		for (const { kind, items } of this.open)
			for (const { decision, state } of items) this.pending.set(this.now(decision), OUTCOMES[kind]?.[state] ?? state);
		this.dispatchEvent(new Event("pending"));
	}

	/** Send what can be sent: a wish about a photo waits for the earlier wish about it. */
	async pump() {
		if (this.pumping) return;
		this.pumping = true;
		const busy = new Set();
		for (const wish of this.open) {
			const ids = wish.items.map(({ decision }) => this.now(decision));
			const free = !ids.some((id) => busy.has(id));
			ids.forEach((id) => busy.add(id));
			if (!wish.sent && free && !(await this.send(wish))) break;
		}
		this.pumping = false;
		this.follow();
	}

	/** @param {Wish} wish @returns {Promise<boolean>} whether the server answered */
	async send(wish) {
		const { id, kind, items, policy = "" } = wish;
		const body = {
			id,
			kind,
			items: items.map((item) => ({ ...item, decision: this.now(item.decision) })),
			policy,
			seen_count: items.length,
		};
		try {
			await post("wishes", body);
			store(
				OPEN,
				this.open.map((other) => (other.id === id ? { ...wish, items: body.items, sent: true } : other)),
			);
			return true;
		} catch (error) {
			const { status, message, items: changed } = /** @type {Refused} */ (error);
			if (!status || status === 401 || status === 429 || status >= 500) return false;
			const gone = new Set(changed.map(({ decision }) => decision));
			const rest = body.items.filter(({ decision }) => !gone.has(decision));
			this.drop(id, gone.size ? gone : new Set(body.items.map(({ decision }) => decision)));
			this.end(wish);
			const ended = changed.map(({ decision, now }) => {
				return { decision, state: "changed", note: `it is ${now ?? "gone"} now.`, now: null };
			});
			if (gone.size) this.tells("ended", { wish, items: ended });
			else this.tells("refused", `${counted(items.length, "answer")} not taken: ${message}`);
			if (gone.size && rest.length) this.queue({ ...wish, items: rest });
			return true;
		}
	}

	/** Look again soon while something is on its way. @param {number} [after] ms */
	follow(after = 400) {
		clearTimeout(this.timer);
		if (this.open.length) this.timer = setTimeout(() => this.look(after), after);
	}

	/** Ask how far the wishes are. @param {number} [after] ms */
	async look(after = 400) {
		for (const wish of this.open.filter(({ sent }) => sent)) {
			/** @type {Progress | null} */
			const progress = await get(`wishes/${wish.id}`).catch((error) =>
				error.status === 404 ? { state: "ended", items: [] } : null,
			);
			if (progress?.state === "ended") this.done(wish, progress);
		}
		if (this.open.some(({ sent }) => !sent)) await this.pump();
		this.follow(Math.min(after * 1.5, 4000));
	}

	/** Forget answers that were refused: they cannot be undone. @param {string} id @param {Set<number>} refused */
	drop(id, refused) {
		if (!refused.size) return;
		const kept = this.given.map((old) =>
			old.id === id ? { ...old, items: old.items.filter(([decision]) => !refused.has(this.now(decision))) } : old,
		);
		this.keep(kept.filter(({ items }) => items.length));
	}

	/** @param {Wish} wish @param {Progress} progress */
	done(wish, { items }) {
		this.drop(wish.id, new Set(items.filter(({ state }) => state !== "done").map(({ decision }) => decision)));
		const moved = stored(MOVED, /** @type {Record<string, number>} */ ({}));
		const followed = items.filter(({ decision, now, state }) => state === "done" && now && now !== decision);
		followed.forEach(({ decision, now }) => (moved[decision] = /** @type {number} */ (now)));
		if (followed.length) store(MOVED, moved);
		this.tells("ended", { wish, items });
		this.end(wish);
		const again = items.filter(({ decision, state }) => state === "done" && wish.then?.includes(decision));
		if (again.length) {
			const seen = again.map(({ decision }) => ({ decision: this.now(decision), state: wasState(wish, decision) }));
			this.queue({ id: uuid(), kind: "confirm", items: seen, sent: false });
		}
		if (this.open.length) void this.pump();
	}

	/** @param {Wish} wish */
	end(wish) {
		store(
			OPEN,
			this.open.filter(({ id }) => id !== wish.id),
		);
		this.note();
	}
}

/** The state after a withdrawn restore: as before the answer of a person. @param {Wish} wish @param {number} decision */
function wasState(wish, decision) {
	return wish.items.find((item) => item.decision === decision)?.state === "untagged" ? "tagged" : "rejected";
}
