/** @file The report page: how often rejects were wrong, and whether probabilities keep their promise. */

import { get } from "./api.js";
import { fill, h } from "./dom.js";

export class ReportPage extends HTMLElement {
  connectedCallback() {
    void get("report").then((report) => fill(this, h("h1", null, "Report"), h("pre", null, JSON.stringify(report, null, 1))), (error) => fill(this, h("h1", null, "Report"), h("p", { role: "alert" }, error.message)));
  }
}

customElements.define("culld-report", ReportPage);
