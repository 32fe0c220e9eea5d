"""The job for pyinfra."""
import os
from io import StringIO

import yaml
from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.operations import apt, files, server

here = os.path.dirname(os.path.abspath(__file__))
V = yaml.safe_load(open(f"{here}/vars.yml"))
root = f"{os.environ['BENCH_DIR']}/hosts/{host.name}"


def template(src, dest, mode="644", **more):
    files.template(name=f"tpl {dest}", src=f"{here}/templates/{src}", dest=f"{root}/{dest}", mode=mode, address=host.name, **{**V, **more})


def copy(src, dest, mode="644"):
    files.put(name=f"copy {dest}", src=src, dest=f"{root}/{dest}", mode=mode)


for sub, mode in (("", "755"), ("/conf.d", "755"), ("/units", "750"), ("/private", "700"), ("/static", "2775")):
    files.directory(name=f"dir {sub or 'root'}", path=root + sub, mode=mode)
copy(StringIO("deploy:x:1500:1500:Deploy:/home/deploy:/bin/bash\n"), "passwd")
template("nginx-site.conf.j2", "conf.d/site.conf")
template("nginx.conf.j2", "nginx.conf")
for u in ("rstudio", "jenkins", "shiny"):
    template("unit.service.j2", f"units/{u}.service", unit=V["units"][u])
template("agent.json.j2", "private/agent.json", "600")
template("env.j2", "env", "640")
template("logrotate.j2", "logrotate")
template("motd.j2", "motd")
template("sysctl.conf.j2", "sysctl.conf")
copy(f"{os.environ['BENCH_DIR']}/blob.bin", "static/blob.bin")
for name in ("index.html", "mime.types"):
    copy(f"{here}/files/{name}", f"static/{name}")
copy(f"{here}/files/backup.sh", "static/backup.sh", "755")
if not host.get_fact(File, path=f"{root}/app.ini"):
    copy(f"{here}/files/app.ini", "app.ini")
for key, value in (("workers", V["workers"]), ("region", V["region"]), ("host", host.name)):
    files.line(name=f"line {key}", path=f"{root}/app.ini", line=f"^{key} =.*$", replace=f"{key} = {value}")
for i in (1, 2, 3):
    if not host.get_fact(File, path=f"{root}/done.{i}"):
        server.shell(name=f"cmd {i}", commands=[f"touch {root}/done.{i}"])
apt.packages(name="package", packages=["openssl"])
for i, u in ((1, "rstudio"), (2, "jenkins")):
    server.shell(name=f"service {i}", commands=[f"test -f {root}/units/{u}.service"])
