//! The Python that runs handlers, and what handlers import.

use std::path::Path;
use std::process::Command;

use super::Finding;
use crate::{
    interpreter::{self, Interpreter, NotFound},
    shell::quoted,
};

pub(super) fn check(option: Option<&Path>, root: &Path) -> Vec<Finding> {
    let Interpreter { executable, version, .. } = match interpreter::find(option) {
        Ok(found) => found,
        Err(NotFound::Asked(reason)) => {
            return vec![Finding::problem("python", reason, "wptserve doctor --python python3")];
        }
        Err(NotFound::Nowhere(reason)) => {
            let text = format!(
                "there is no Python of version 3.10 or newer ({reason}); .py handlers answer 501"
            );
            return vec![Finding::problem("python", text, INSTALL)];
        }
    };
    let shown = executable.display().to_string();
    let mut findings = vec![Finding::ok("python", format!("{version} at {shown}"))];
    let asked = Command::new(&executable).args(["-c", QUESTION]).arg(root).output();
    let answer = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let answer = answer.unwrap_or_default();
    let mut lines = answer.lines();
    let old = lines.next();
    for line in lines {
        let mut fields = line.split('\t');
        let (Some(module), Some(count), Some(file)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let text = format!("{module} is missing; handlers that import it: {count}, such as {file}");
        let remedy = match module {
            "imp" => "wptserve doctor --python python3.11".to_owned(),
            _ => format!("{} -m pip install {module}", quoted(&shown)),
        };
        findings.push(Finding::warning("modules", text, remedy));
    }
    if let Some(old) = old.filter(|line| !line.is_empty()) {
        let text = format!(
            "wptserve {old} from PyPI is installed beside this one; handlers see this one, other \
             programs that one"
        );
        let remedy = format!("{} -m pip uninstall wptserve", quoted(&shown));
        findings.push(Finding::warning("old wptserve", text, remedy));
    }
    findings
}

const INSTALL: &str = if cfg!(target_os = "macos") {
    "brew install python3"
} else if cfg!(windows) {
    "winget install Python.Python.3.13"
} else {
    "sudo apt install python3"
};

/// Prints the version of the reference's package, then a line for each module that handlers of the
/// root import and this Python lacks: the module, how many handlers, one of them. Modules that lie
/// beside a handler or in the checkout are not missing.
const QUESTION: &str = "import sys, os, re, importlib.util, importlib.metadata
try: print(importlib.metadata.version('wptserve'))
except Exception: print()
root, missing, known = sys.argv[1], {}, {'wptserve', 'pywebsocket3', 'mod_pywebsocket'}
third = os.path.join(root, 'tools', 'third_party')
places = [os.path.join(third, name) for name in (os.listdir(third) if os.path.isdir(third) else ())]
sys.path[0:0] = [root, os.path.join(root, 'tools')]
sys.path += [os.path.join(place, 'src') for place in places] + places
def there(name, folder):
    if name in known: return True
    if os.path.exists(os.path.join(folder, name)) or os.path.exists(os.path.join(folder, name + '.py')): return True
    try: found = importlib.util.find_spec(name) is not None
    except Exception: found = False
    if found: known.add(name)
    return found
for folder, folders, files in os.walk(root):
    folders[:] = [name for name in folders if name not in ('tools', 'node_modules') and name[0] not in '._']
    for file in files:
        if not file.endswith('.py'): continue
        path = os.path.join(folder, file)
        with open(path, 'rb') as stream: source = stream.read()
        if not re.search(rb'^(async )?def main\\(', source, re.M): continue
        for name in set(re.findall(rb'^(?:import|from) +([A-Za-z_][A-Za-z0-9_]*)', source, re.M)):
            name = name.decode()
            if not there(name, folder): missing.setdefault(name, []).append(os.path.relpath(path, root))
for name, paths in sorted(missing.items()):
    print(name, len(paths), min(paths), sep='\\t')";
