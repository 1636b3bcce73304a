<?php

/** The goods of a new shop: category slug => [name, description, products as [name, price in cents, what it is like]]. */

declare(strict_types=1);

return [
    'kitchen' => ['Kitchen', 'Stoneware, steel and wood for people who cook every day.', [
        ['Harbour Mug', 1800, 'Stoneware with a thumb rest, glazed in the colour of the sea before rain.'],
        ['Pour-Over Set', 4200, 'A dripper, a carafe and a slow morning.'],
        ['Walnut Board', 5600, 'End-grain walnut that is kind to knives and forgives a night in the sink, once.'],
        ['Salt Cellar', 1450, 'A lid that swivels under one thumb while the other hand stirs.'],
        ['Paring Knife', 3900, 'Carbon steel, short, honest. Keep it dry.'],
        ['Linen Apron', 4800, 'Two pockets, one loop, no slogan.'],
        ['Olive Oil Can', 2700, 'Pours a thread, and stops when you do.'],
    ]],
    'desk' => ['Desk', 'Quiet tools for the hours that matter.', [
        ['Dot Grid Notebook', 1600, 'Lies flat, takes ink, 192 numbered pages.'],
        ['Brass Pen', 6400, 'Turned from one rod; it will outlive the drawer that you lose it in.'],
        ['Desk Mat', 5200, 'Wool felt over cork, warm under the wrists.'],
        ['Letter Tray', 3400, 'For everything that is not done yet.'],
        ['Paper Clips, Copper', 800, 'A hundred of them, in a tin.'],
        ['Page Weight', 2900, 'Keeps a cookbook open and a window shut.'],
        ['Pencil, Twelve', 1500, 'Cedar, HB, and the smell of the first day of school.'],
    ]],
    'light' => ['Light', 'Lamps and candles for long evenings.', [
        ['Dune Lamp', 12900, 'A shade of pleated paper over a base of sand-cast aluminium.'],
        ['Beeswax Candles', 2200, 'Four of them, from one valley, eleven hours each.'],
        ['Storm Lantern', 7400, 'Burns through wind; you do not have to.'],
        ['Reading Light', 8600, 'Clips on a shelf, points at a page, wakes nobody.'],
        ['Pendant, Opal', 15800, 'Mouth-blown glass, no two quite alike.'],
        ['Match Striker', 1900, 'A rough stone cup that lights a match anywhere around it.'],
        ['Tea Lights, Thirty', 1100, 'Small, clean, soon gone.'],
    ]],
    'outdoors' => ['Outdoors', 'Made to be carried, wetted and dried again.', [
        ['Waxed Pack', 18900, 'Twenty-four litres of cotton canvas that gets better for ten years.'],
        ['Ridge Tent', 34900, 'Two people, two doors, one pole.'],
        ['Enamel Pot', 3600, 'Steel under glass, over any fire.'],
        ['Wool Blanket', 9800, 'Recycled wool, heavy enough to mean it.'],
        ['Field Flask', 3200, 'Keeps tea hot until the top and cold until the bottom.'],
        ['Folding Saw', 4400, 'Bites on the pull, folds into its own handle.'],
        ['Trail Journal', 1700, 'Stone paper: write on it in the rain.'],
    ]],
    'textiles' => ['Textiles', 'Linen and wool, woven close to home.', [
        ['Washed Linen Sheet', 11900, 'Soft from the first night.'],
        ['Herringbone Throw', 8900, 'Lambswool, fringed by hand.'],
        ['Waffle Towel', 2600, 'Dries you, dries itself.'],
        ['Cushion, Ochre', 4300, 'Down inside, dye from the weld plant outside.'],
        ['Tea Towels, Three', 2400, 'For plates, for bread, for hanging where people can see them.'],
        ['Door Mat', 3800, 'Coir, thick, unfriendly to mud.'],
        ['Table Runner', 3300, 'A stripe down the middle of supper.'],
    ]],
    'garden' => ['Garden', 'For a windowsill or an acre.', [
        ['Hand Trowel', 2800, 'Forged, with an ash handle and a depth scale.'],
        ['Terracotta Pot', 1900, 'Breathes, so the roots can.'],
        ['Watering Can', 6900, 'Nine litres, balanced, with a rose that rains.'],
        ['Herb Seeds', 900, 'Basil, thyme, sage and a surprise.'],
        ['Secateurs', 5400, 'A clean cut every time, and every part can be replaced.'],
        ['Garden Twine', 750, 'Jute, in a tin with a blade.'],
        ['Bird House', 4700, 'Larch. The tenants find it by themselves.'],
    ]],
];
