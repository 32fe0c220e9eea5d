// Draws the tiles that the server lays out. Elements are kept and moved, never rebuilt: no flicker.
(function () {
  "use strict";

  function element(parent, className) {
    const made = document.createElement("div");
    made.className = className;
    parent.appendChild(made);
    return made;
  }

  function newTile(box, symbol) {
    const tile = element(box, "tile");
    tile.dataset.symbol = symbol;
    element(tile, "symbol").textContent = symbol;
    element(tile, "value");
    return tile;
  }

  function setLine(line, text, font) {
    line.textContent = text;
    line.style.fontSize = font + "px";
    line.hidden = font === 0;
  }

  function drawTile(tile, data) {
    tile.className = data.rank <= 3 ? "tile top-" + data.rank : "tile";
    tile.dataset.value = data.value;
    tile.title = data.symbol + "\n" + data.value + " (" + data.share + ")";
    tile.style.left = data.x + "px";
    tile.style.top = data.y + "px";
    tile.style.width = data.width + "px";
    tile.style.height = data.height + "px";
    setLine(tile.querySelector(".symbol"), data.symbol, data.symbol_font);
    setLine(tile.querySelector(".value"), data.value + " \u00b7 " + data.share, data.value_font);
  }

  function draw(message) {
    const panel = document.getElementById(message.id);
    const box = panel.querySelector(".treemap");
    panel.classList.toggle("stale", message.stale);
    panel.querySelector("h1 span").textContent = message.total;
    panel.querySelector(".note").textContent = message.note;
    box.querySelector(".empty").textContent = message.empty;
    const there = new Map();
    box.querySelectorAll(".tile").forEach((tile) => there.set(tile.dataset.symbol, tile));
    message.tiles.forEach((data) => {
      drawTile(there.get(data.symbol) || newTile(box, data.symbol), data);
      there.delete(data.symbol);
    });
    there.forEach((tile) => tile.remove());
    showTitle();
  }

  function showTitle() {
    const shown = document.querySelector(".tab-pane.active h1");
    if (shown) document.title = shown.textContent;
  }

  // The server lays out for the size that the box really has.
  function reportSize(entries) {
    entries.forEach((entry) => {
      const { width, height } = entry.contentRect;
      const id = entry.target.closest("section").id;
      if (width > 0 && height > 0) Shiny.setInputValue(id + "_box", { width, height });
    });
  }

  // The server may be restarted: come back when it does.
  function reloadWhenBack() {
    document.querySelectorAll(".note").forEach((note) => {
      note.textContent = "The connection to the server is lost. Trying again \u2026";
    });
    setInterval(() => {
      fetch(location.href, { cache: "no-store" }).then((answer) => answer.ok && location.reload());
    }, 3000);
  }

  document.addEventListener("DOMContentLoaded", () => {
    Shiny.addCustomMessageHandler("treemap", draw);
    $(document).one("shiny:connected", () => {
      const sizes = new ResizeObserver(reportSize);
      document.querySelectorAll(".treemap").forEach((box) => sizes.observe(box));
    });
    $(document).one("shiny:disconnected", reloadWhenBack);
    $(document).on("shown.bs.tab", showTitle);
  });
})();
