"use strict";
(() => {
  const tools = document.querySelector(".tools");
  const find = document.getElementById("find");
  const found = document.getElementById("found");
  const buttons = [...tools.querySelectorAll("button")];
  const prompts = [...document.querySelectorAll(".p")];
  const texts = new Map();
  let group = "";

  const text = (prompt) => {
    if (!texts.has(prompt)) texts.set(prompt, prompt.textContent.toLowerCase());
    return texts.get(prompt);
  };

  const show = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let number = 0;
    for (const prompt of prompts) {
      const wanted =
        (!group || prompt.dataset.group === group) && words.every((word) => text(prompt).includes(word));
      prompt.hidden = !wanted;
      number += wanted;
    }
    found.textContent = words.length || group ? `${number} of ${prompts.length} shown` : "";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.group === group));
  };

  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let node = target; node; node = node.parentElement) {
      if (node.tagName === "DETAILS") node.open = true;
      if (node.classList.contains("p")) node.hidden = false;
    }
    target.scrollIntoView({ block: "nearest" });
  };

  for (const button of buttons) {
    button.addEventListener("click", () => {
      group = group === button.dataset.group ? "" : button.dataset.group;
      show();
    });
  }
  find.addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== find) {
      event.preventDefault();
      find.focus();
    } else if (event.key === "Escape" && document.activeElement === find) {
      find.value = "";
      show();
    }
  });
  addEventListener("hashchange", reveal);
  tools.hidden = false;
  show();
  reveal();
})();
