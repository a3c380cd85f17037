"""Draw a group photo to try `mien predict` on: python examples/demo_photo.py photo.png"""

import sys
from pathlib import Path

from PIL import Image

from mien.synthetic import photo

pixels, faces = photo(seed=6, faces=3, size=(960, 420), emotions=["happy", "angry", "surprise"])
path = Path(sys.argv[1])
path.parent.mkdir(parents=True, exist_ok=True)
Image.fromarray(pixels).save(path)
print(f"{path}: {', '.join(label for _, label in faces)}")
