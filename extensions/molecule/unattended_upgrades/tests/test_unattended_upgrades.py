# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing upgrades by itself."""

import pytest


@pytest.mark.parametrize(
    "unit", ["apt-daily.timer", "apt-daily-upgrade.timer", "apt-daily.service", "apt-daily-upgrade.service"]
)
def test_unit_is_masked_and_does_not_run(host, unit):
    found = host.check_output(f"systemctl show --property=LoadState,ActiveState --value {unit}").split()
    assert found == ["masked", "inactive"]
