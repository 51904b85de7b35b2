"""What to train for a budget: minutes of this machine, operations, or dollars on an accelerator.

make (the plan) -> tables (as JSON and text). Loads without torch; only a plan by minutes measures, and imports it then.
"""

from minillm.plan.make import Plan, make_plan, plan_dollars, plan_flops, plan_minutes
from minillm.plan.tables import plan_dict, plan_table

__all__ = ["Plan", "make_plan", "plan_dict", "plan_dollars", "plan_flops", "plan_minutes", "plan_table"]
