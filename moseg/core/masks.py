from moseg.render.masks import read_mask_png, write_mask_png
