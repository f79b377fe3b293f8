/** @file The page: its bars, its views, the way between them, and the start. */

import { actionsOf } from "./actions.js";
import { get, post } from "./api.js";
import { Bars, PHOTOS } from "./bars.js";
import { byId, fill, tell } from "./dom.js";
import { filterBar } from "./filterbar.js";
import { Grid } from "./grid.js";
import { listen } from "./keys.js";
import { follow } from "./live.js";
import { Review } from "./review.js";
import { chosen, dress } from "./settings.js";
import { Why } from "./why.js";
import { counted } from "./words.js";

/** @typedef {"grid" | "photo" | "compare" | "survey" | "policy" | "report"} Name */
/**
 * What a view may do.
 * @typedef {HTMLElement & {move?: (dx: number, dy: number) => void, focusPhoto?: () => void, zoom?: () => unknown,
 *   zoomStep?: (step: number) => void, pan?: (dx: number, dy: number, alone?: boolean) => void, jump?: (key: any) => void}} View
 */

const MOST_COMPARED = 9;
/** The view of one photo is loaded so long after the first screen. */
const SOON_MS = 300;
/** So many photos are asked for first: enough for a screen, whatever the number of all. */
const FIRST_ROWS = 1000;

/** The longest time that the rest waits for the pictures of the first screen. */
const MOST_WAIT_MS = 1500;

/** Wait until the pictures of the first screen are there: what comes behind them must not make them late. */
async function drawn() {
	const end = performance.now() + MOST_WAIT_MS;
	const ready = () => {
		const images = [...byId("main").querySelectorAll("img")];
		return images.length > 0 && images.every((image) => image.complete);
	};
	while (!ready() && performance.now() < end) await new Promise((again) => setTimeout(again, 25));
}

/** The page. */
export class Page {
	review = new Review();
	/** @type {View | null} */
	view = null;
	/** @type {Name} */
	name = "grid";
	why = new Why(byId("why"), this.review);
	actions = actionsOf(this);
	bars = new Bars(this);

	async start() {
		dress();
		addEventListener("culld-login", () => void login("The login has ended."));
		const code = /^#login=(.+)$/.exec(location.hash)?.[1];
		if (code) {
			history.replaceState(null, "", location.pathname);
			await post("login", { code: decodeURIComponent(code) }).catch((error) => tell(error.message));
		}
		this.read();
		const session = get("session");
		session.catch(() => undefined);
		const simple = !this.pendingId && this.review.filter.order === "newest";
		const more = await this.review.load(true, simple ? FIRST_ROWS : undefined);
		this.review.thresholds = (await session).settings.thresholds ?? null;
		if (this.pendingId) await this.arrive(this.pendingId);
		listen(() => this.actions);
		this.hear();
		await this.show();
		await drawn();
		if (more) await this.review.load(true);
		follow(this.review);
		setTimeout(LOADED.photo ?? Object, SOON_MS);
	}

	pendingId = 0;

	/** List by the filter of the address, and show its photo. @param {number} id */
	async arrive(id) {
		const { review } = this;
		review.list(id);
		if (!id || review.id === id) return;
		await review.known.want([id]).catch(() => undefined);
		if (review.info(id)) review.show(id);
	}

	hear() {
		const { review } = this;
		for (const name of ["list", "place", "states", "selection", "status"])
			review.addEventListener(name, () => this.soon());
		review.addEventListener("place", () => this.address(false));
		review.addEventListener("list", () => this.address(false));
		addEventListener("culld-settings", () => this.bars.draw());
		byId("top").addEventListener("culld-draw", () => this.bars.draw());
		addEventListener("culld-copy", () => this.actions.find(({ id }) => id === "before")?.run());
		addEventListener("culld-open", (event) => void this.visit(/** @type {CustomEvent} */ (event).detail));
		addEventListener("popstate", () => {
			this.read();
			void this.arrive(this.pendingId || this.review.id).then(() => this.show());
		});
		filterBar(byId("filters"), review, () => review.list());
	}

	frame = 0;

	soon() {
		cancelAnimationFrame(this.frame);
		this.frame = requestAnimationFrame(() => this.bars.draw());
	}

	/** Read view, photo and filter out of the address. */
	read() {
		const [path, query = ""] = location.hash.slice(1).split("?");
		const [name, ids = ""] = path.replace(/^\//, "").split("/");
		this.name = name in PHOTOS || name in LOADED ? /** @type {Name} */ (name) : "grid";
		this.ids = ids
			.split(",")
			.map(Number)
			.filter(Boolean);
		this.pendingId = Math.abs(this.ids[0] ?? 0);
		this.review.filter.read(query);
		if (!location.hash) this.review.filter.wanted.answer.add("open");
	}

	/** The photos of the view; a negative number stands for the repaired copy. @type {number[]} */
	ids = [];

	/** Write view, photo and filter into the address. @param {boolean} step whether Back returns from here */
	address(step) {
		const one =
			this.name === "photo" ? [this.review.id] : this.name === "compare" || this.name === "survey" ? this.ids : [];
		const text = `#/${this.name}${one.length ? `/${one.join(",")}` : ""}?${this.review.filter.text()}`;
		if (text === location.hash) return;
		if (step) history.pushState(null, "", text);
		else history.replaceState(null, "", text);
	}

	/** The frames of the burst of a photo, also the kept ones; the photo alone if it has none. @param {number} id @returns {Promise<number[]>} */
	async burst(id) {
		const { library } = this.review;
		const row = library.row(id);
		if (row >= 0 && !library.burst[row]) return [id];
		const { burst } = await this.why.of(id).catch(() => ({ burst: [] }));
		return burst.length > 1 ? burst.map((/** @type {number} */ each) => this.review.answers.now(each)) : [id];
	}

	/** @param {Name} name */
	async open(name) {
		const { review } = this;
		if (!review.id && name in PHOTOS && name !== "grid") return tell("No photo is listed.");
		if (name === "compare") this.ids = this.pair(await this.burst(review.id));
		if (name === "survey") this.ids = review.selected.size > 1 ? [...review.selected] : await this.burst(review.id);
		if (name === "compare" && this.ids.length < 2) return tell("Compare needs two photos.");
		if (name === "compare" || name === "survey") review.clear();
		this.name = name;
		this.address(true);
		await this.show();
	}

	/** The photos to compare: the selection, else the photo in view and the next of its burst or of the list. @param {number[]} series */
	pair(series) {
		const { review } = this;
		if (review.selected.size > 1) return [...review.selected].slice(0, MOST_COMPARED);
		const around = series.length > 1 ? series : [...review.rows].map((row) => review.library.id[row]);
		const at = around.indexOf(review.id);
		const other = around[at + 1] ?? around[at - 1];
		return other ? [review.id, other] : [review.id];
	}

	/** Show a photo, also one that the filter does not list. @param {number} id */
	async visit(id) {
		const { review } = this;
		review.show(id);
		await this.open("photo");
	}

	async show() {
		const { name } = this;
		await LOADED[name]?.();
		if (name !== this.name) return;
		const view = /** @type {any} */ (document.createElement(`culld-${name}`));
		view.review = this.review;
		if (name === "photo") view.burst = (/** @type {number} */ id) => this.burst(id);
		if (view instanceof Grid) view.open = () => this.open("photo");
		if (name === "compare" || name === "survey") view.ids = this.ids.map((id) => Math.sign(id) * this.review.answers.now(Math.abs(id)));
		document.body.dataset.view = this.name;
		this.view = view;
		const main = byId("main");
		if (main.contains(document.activeElement) || document.activeElement === document.body)
			main.focus({ preventScroll: true });
		fill(main, view);
		document.title = "culld";
		this.bars.draw();
		this.why.show();
		requestAnimationFrame(() => {
			if (document.activeElement === main || name in PHOTOS) this.focus();
		});
	}

	focus() {
		if (this.view?.focusPhoto) this.view.focusPhoto();
		else byId("main").focus({ preventScroll: true });
	}

	/** After an answer: the next photo. */
	forward() {
		if (this.name === "survey") return;
		const moved = this.name === "compare" ? false : this.review.go(this.review.at + 1);
		if (!moved && this.name !== "compare") tell(`${this.review.progress()}. This is the last photo of the list.`);
	}

	/** Keep the photo in view, confirm the other rejects of its burst, and go to the next burst. */
	async keepOne() {
		const { review } = this;
		const here = review.id;
		if (!here) return;
		const burst = await this.burst(here);
		const rejects = burst.filter((id) => id !== here && review.state(id) === "rejected");
		const group = String(Date.now());
		const back = review.items("restore", [here]).length > 0;
		if (back) review.answer("restore", [here], group);
		if (rejects.length) review.answer("confirm", rejects, group);
		if (!back && !rejects.length) return tell("Nothing to do: it stays, and the burst has no open reject.");
		tell(
			`${review.title([here])} stays; ${counted(rejects.length, "other frame")} of the burst may go. Undo: Control+Z`,
		);
		if (chosen.advance && this.name !== "survey") review.series(1);
	}

	back() {
		if (document.body.classList.contains("show-filters") || document.body.classList.contains("show-why")) {
			document.body.classList.remove("show-filters", "show-why");
			return this.focus();
		}
		if (this.review.clear()) return tell("Nothing is selected.");
		if (this.name !== "grid") this.open("grid");
	}

	/** Show or hide a panel. @param {"why" | "filters"} panel */
	toggle(panel) {
		const narrow = matchMedia("(max-width: 900px)").matches;
		document.body.classList.toggle(narrow ? `show-${panel}` : `no-${panel}`);
		this.why.show();
		this.bars.draw();
		if (byId(panel).contains(document.activeElement)) this.focus();
	}

	help() {
		void dialogs().then(({ help }) => help(this.actions, () => this.settings()));
	}

	settings() {
		void dialogs().then(({ settings }) => settings(this.actions));
	}
}

/** What is loaded when it is first wanted. @type {Partial<Record<Name, () => Promise<unknown>>>} */
const LOADED = {
	photo: () => import("./photo.js"),
	compare: () => import("./compare.js"),
	survey: () => import("./compare.js"),
	policy: () => import("./policy.js"),
	report: () => import("./report.js"),
};
const dialogs = () => import("./dialogs.js");
const login = (/** @type {string} */ text) => dialogs().then((module) => module.login(text, () => location.reload()));

if (matchMedia("(min-width: 901px) and (max-width: 1100px)").matches) document.body.classList.add("no-why");
new Page().start().catch((error) => {
	if (error.status === 401) void login("");
	else tell(error.message);
});
