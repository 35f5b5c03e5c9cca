"""Without NumPy the theory says which extra to install."""

import subprocess
import sys


def test_without_numpy_the_extra_is_named():
    code = "import sys; sys.modules['numpy'] = None; import uppertail.theory"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "uppertail.theory needs an extra package: pip install 'uppertail[tail]'" in done.stderr


def test_the_package_itself_imports_no_numpy():
    code = "import sys, uppertail, uppertail.cli.app; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
