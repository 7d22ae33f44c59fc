# about: python3 open modes, buffering, seek and tell, tempfile, shutil, pathlib, zipfile, tarfile
# needs: python3

case_open_modes() {
    python3 - <"$PARTS/python_files/open_modes.py"
}

case_two_views() {
    python3 - <"$PARTS/python_files/two_views.py"
}

case_random_access() {
    python3 - <"$PARTS/python_files/random_access.py"
}

case_tempfile_and_shutil() {
    python3 - <"$PARTS/python_files/tempfile_and_shutil.py"
    volatile 'case_tempfile_and_shutil/archive*'
}

case_zipfile_and_pickles() {
    python3 - <"$PARTS/python_files/zipfile_and_pickles.py"
}

case_modules_in_the_volume() {
    mkdir package
    echo "from .part import value" >package/__init__.py; echo "value = '$MARKER'" >package/part.py
    cat >user.py <<'TEXT'
import os
import package
print(package.value == os.environ["MARKER"], package.__file__.split("/")[-1], package.__cached__.split("/")[-1])
TEXT
    python3 user.py
    PYTHONDONTWRITEBYTECODE= python3 user.py
    ls package/__pycache__
    python3 -m compileall -q --invalidation-mode checked-hash package
    python3 user.py
    echo 'print("a script")' >script.py
    python3 script.py
    python3 -m zipapp package -o app.pyz -m part:value 2>/dev/null || :
    python3 <script.py
    volatile '*.pyc' '*.pyz'
}
